"""Mails that let somebody in, in the language of their account."""

from dataclasses import dataclass

from sql.desk.links import LinkMail


@dataclass(frozen=True, slots=True)
class _Mail:
    subject: str
    text: str


_WORDS = {
    ("invitation", "es"): _Mail(
        "Invitación a {account}",
        """Te invitaron a entrar en {account}.
Elige tu contraseña aquí:

{link}

El enlace sirve una vez, durante una semana. Si no esperabas esto, no hagas nada.""",
    ),
    ("password", "es"): _Mail(
        "Contraseña nueva para {account}",
        """Alguien, seguramente tú, pidió una contraseña nueva. Elígela aquí:

{link}

El enlace sirve una vez, durante una hora. Si no fuiste tú, no hagas nada: tu contraseña sigue igual.""",
    ),
    ("invitation", "pt"): _Mail(
        "Convite para {account}",
        """Você foi convidado para entrar em {account}. Escolha sua senha aqui:

{link}

O link vale uma vez, por uma semana. Se você não esperava isto, não faça nada.""",
    ),
    ("password", "pt"): _Mail(
        "Senha nova para {account}",
        """Alguém, provavelmente você, pediu uma senha nova. Escolha-a aqui:

{link}

O link vale uma vez, por uma hora. Se não foi você, não faça nada: sua senha continua a mesma.""",
    ),
    ("invitation", "en"): _Mail(
        "Invitation to {account}",
        """You are invited to {account}. Choose your password here:

{link}

The link works once, for a week. If you did not expect this, do nothing.""",
    ),
    ("password", "en"): _Mail(
        "A new password for {account}",
        """Somebody, probably you, asked for a new password. Choose it here:

{link}

The link works once, for an hour. If it was not you, do nothing: your password stays as it is.""",
    ),
}


def words_of_mail(mail: LinkMail, language: str, link: str) -> tuple[str, str]:
    """Give the subject and the text; `language` is es, pt or en."""
    words = _WORDS[mail.kind, language]
    return words.subject.format(account=mail.account), words.text.format(account=mail.account, link=link)
