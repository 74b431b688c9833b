"""Where alerts go: Airflow's notifiers, with what its connections say. Without a connection a channel is off.

``doudi_alert_mail`` is a connection of type smtp, its extra naming ``to`` and ``from_email``; ``doudi_alert_webhook``
one of type apprise. A connection with a kind at its end (``doudi_alert_mail_late_feed``) takes that kind's place.
"""

from collections.abc import Callable
from typing import Any

from doudi.alerts.messages import Message
from doudi.connectors import connections

Deliver = Callable[[Message], None]


class NotTaken(Exception):
    """A channel did not take a message, and said no more than that."""


def channel(name: str, kind: str) -> Deliver | None:
    """What delivers messages of a ``kind`` by the channel of that name; None where no connection is set up for it."""
    for connection_id in (f"doudi_alert_{name}_{kind}", f"doudi_alert_{name}"):
        found = connections.find(connection_id)
        if found is not None:
            return lambda message: CHANNELS[name](message, found)
    return None


def _by_mail(message: Message, connection: Any) -> None:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    extra = connection.extra_dejson
    notifier = SmtpNotifier(
        smtp_conn_id=connection.conn_id,
        to=extra["to"],
        from_email=extra["from_email"],
        subject=message.title,
        html_content=message.html,
    )
    notifier.notify({})  # not called as a function: that would read our text as a template


def _by_webhook(message: Message, connection: Any) -> None:
    import apprise
    from airflow.providers.apprise.notifications.apprise import AppriseNotifier

    class Webhook(AppriseNotifier):
        """As Airflow's, which does not look at whether a service took the message."""

        def notify(self, context: Any) -> None:
            services = apprise.Apprise()
            self.hook.set_config_from_conn(conn=connection, apprise_obj=services)
            if not services.notify(title=self.title, body=self.body, notify_type=self.notify_type):
                raise NotTaken

    Webhook(
        apprise_conn_id=connection.conn_id,
        title=message.title,
        body=message.text,
        notify_type=apprise.NotifyType.WARNING,
    ).notify({})


CHANNELS: dict[str, Callable[[Message, Any], None]] = {"mail": _by_mail, "webhook": _by_webhook}
