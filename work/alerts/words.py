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
        case "stop.rescheduled":
            where = _LATER if alert.data.get("taken_off") else _SAME_TOUR
            return "a recipient chose another time", where.format(stop=f"st_{alert.stop_id}", **alert.data)
        case "stop.redirected":
            where = {"applied": _MOVED, "rejected": _KEPT}.get(alert.data.get("state", ""), _PROPOSED)
            return "a recipient wants it somewhere else", where.format(stop=f"st_{alert.stop_id}")
        case "stop.away":
            said = _AWAY if alert.data.get("away") else _BACK
            return "a recipient says who is at home", said.format(stop=f"st_{alert.stop_id}")
        case "stop.code_locked":
            return "somebody guesses a recipient's code", _GUESSED.format(stop=f"st_{alert.stop_id}")
    return alert.type, alert.type


_SWITCHED_OFF = """It {why}, and is told nothing any more.
Switch it on again with PATCH /v1/webhooks/{webhook},
then replay what it missed with POST /v1/webhooks/{webhook}/replay."""

_SAME_TOUR = "The window of {stop} is now {start} to {end}. Its driver sees it at the next sync."

_LATER = (
    """The recipient of {stop} chose {start} to {end}. It is off its tour, and an order that is ready to be planned."""
)

_MOVED = """The recipient of {stop} chose another place; its route has a new version and its driver sees it at the next
sync. GET /v1/stops/{stop}/changes says what was before."""

_KEPT = "The recipient of {stop} asked for another place and was told that it stays where it is."

_PROPOSED = """The recipient of {stop} asks for another address. Nothing is changed: GET /v1/stops/{stop}/changes
has it. POST …/changes/CHANGE/approve grants it and moves the stop, …/reject does not; either way they are told."""

_AWAY = """Nobody will be at home at {stop}. Its driver sees it at the next sync. Their page offers them another time, a
neighbour, a safe place or a pick-up point; what they choose comes by itself."""

_BACK = "Somebody will be at home at {stop} after all. Its driver sees it at the next sync."

_GUESSED = """Whoever has the tracking link of {stop} sent five wrong codes. Nothing was changed, and nothing can be
changed by code for a day. The link may be in a stranger's hands: POST /v1/stops/{stop}/tracking-link/rotate
ends it, and the recipient needs the new one."""

_CALLS = """The driver {driver} calls for help. GET /v1/positions says where they are."""

_UNANSWERED = """A recipient reported {kind!r} and waits for an answer until {due}.
Read it with GET /v1/tickets/{ticket}, answer with POST /v1/tickets/{ticket}/answers."""
