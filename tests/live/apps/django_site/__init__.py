"""A Django project as a team would write it: the admin, uploads, sessions and static files."""
