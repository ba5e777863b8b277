"""The applications that every server serves; a module each, so none loads another's imports."""
