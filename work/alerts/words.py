"""Alerts in words: what happened and what to do; no names, no places."""

from sql.messages.alerts import CompanyAlert


def words_of(alert: CompanyAlert) -> tuple[str, str]:
    """Give the title and the text of an alert."""
    title, said = _said(alert)
    return f"Reparto: {title}", f"{alert.occurred_at:%Y-%m-%d %H:%M} UTC, account {alert.account_name}\n\n{said}"


def _said(alert: CompanyAlert) -> tuple[str, str]:
    match alert.type:
        case "webhook.disabled":
            webhook = alert.data.get("webhook_id")
            why = "answered 410 Gone" if alert.data.get("why") == "410" else "took nothing for three days"
            return f"webhook {webhook} was switched off", _SWITCHED_OFF.format(webhook=webhook, why=why)
        case "driver.sos":
            return "a driver calls for help", _CALLS.format(driver=f"dr_{alert.driver_id}")
        case "ticket.due_soon" | "ticket.overdue":
            ticket = alert.data.get("ticket_id")
            when = "is due today" if alert.type == "ticket.due_soon" else "is overdue"
            said = _UNANSWERED.format(ticket=ticket, kind=alert.data.get("kind"), due=alert.data.get("due_at"))
            return f"ticket {ticket} {when}", said
    return alert.type, alert.type


_SWITCHED_OFF = """It {why}, and is told nothing any more.
Switch it on again with PATCH /v1/webhooks/{webhook},
then replay what it missed with POST /v1/webhooks/{webhook}/replay."""

_CALLS = """The driver {driver} calls for help. GET /v1/positions says where they are."""

_UNANSWERED = """A recipient reported {kind!r} and waits for an answer until {due}.
Read it with GET /v1/tickets/{ticket}, answer with POST /v1/tickets/{ticket}/answers."""
