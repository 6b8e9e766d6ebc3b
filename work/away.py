"""What the rooms rest on and do not have now: a store, an engine, a table that is being changed."""


class Away(Exception):  # noqa: N818 (it is no mistake of anybody)
    """It cannot be had now, and nothing was changed: asked again later, it may. HTTP answers 503.

    Attributes:
        detail: a sentence for whoever asked.
        retry_after_s: when to ask again, seconds.
    """

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
