"""What browsers are told of an alert: as the desk calls it, and nothing else."""

_WORDS = {
    "es": {
        "driver_sos": "El conductor pide ayuda",
        "driver_alarm": "Alarma del teléfono",
        "driver_silent": "El teléfono no se oye",
        "eta_late": "Llegará después de lo prometido",
        "route_off_route": "Fuera de ruta",
        "stop_failed": "No se pudo entregar",
        "stop_code_locked": "Código bloqueado por intentos",
        "stop_left_open": "La ruta terminó y quedó abierta",
        "stop_rescheduled": "El destinatario eligió otra hora",
        "stop_redirected": "El destinatario eligió otro lugar",
        "ticket_overdue": "Un reclamo sin responder a tiempo",
        "ticket_due_soon": "Un reclamo vence pronto",
        "message_failed": "Un mensaje no llegó",
        "webhook_disabled": "Un webhook se apagó",
    },
    "pt": {
        "driver_sos": "O motorista pede ajuda",
        "driver_alarm": "Alarme do telefone",
        "driver_silent": "O telefone está em silêncio",
        "eta_late": "Vai chegar depois do prometido",
        "route_off_route": "Fora da rota",
        "stop_failed": "Não foi possível entregar",
        "stop_code_locked": "Código bloqueado por tentativas",
        "stop_left_open": "A rota terminou e ficou em aberto",
        "stop_rescheduled": "O destinatário escolheu outro horário",
        "stop_redirected": "O destinatário escolheu outro lugar",
        "ticket_overdue": "Uma reclamação sem resposta no prazo",
        "ticket_due_soon": "Uma reclamação vence em breve",
        "message_failed": "Uma mensagem não chegou",
        "webhook_disabled": "Um webhook foi desligado",
    },
    "en": {
        "driver_sos": "The driver calls for help",
        "driver_alarm": "An alarm of the phone",
        "driver_silent": "The phone is not heard",
        "eta_late": "It will come after its promise",
        "route_off_route": "Off its route",
        "stop_failed": "A delivery failed",
        "stop_code_locked": "A code was tried too often",
        "stop_left_open": "The tour is over and this was left open",
        "stop_rescheduled": "The recipient chose another time",
        "stop_redirected": "The recipient chose another place",
        "ticket_overdue": "A ticket was not answered in time",
        "ticket_due_soon": "A ticket is due soon",
        "message_failed": "A message did not arrive",
        "webhook_disabled": "A webhook was switched off",
    },
}


def words_of_alert(kind: str, language: str) -> str:
    """Call an alert; `kind` is the type of its event, `language` es, pt or en."""
    return _WORDS[language][kind.replace(".", "_")]
