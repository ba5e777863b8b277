"""A Flask application that answers one JSON document. `benchmarks.apps.flask_json:application`."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from benchmarks.apps.document import DOCUMENT


def _document() -> Response:
    return jsonify(DOCUMENT)


application = Flask(__name__)
application.add_url_rule("/", view_func=_document)
