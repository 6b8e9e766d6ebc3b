"""Pure readers, one module per phone app: bytes in, columns of pings out. Only shape and range are judged here."""
