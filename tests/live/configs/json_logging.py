"""Both logs as JSON, by a formatter of the deployment's own."""

import json
import logging

accesslog = "-"


class JsonFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps(
            {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        )


class JsonRequestFormatter(logging.Formatter):
    def format(self, record):
        atoms = record.args
        return json.dumps(
            {
                "remote_ip": atoms["h"],
                "method": atoms["m"],
                "path": atoms["U"],
                "status": str(atoms["s"]),
                "user_agent": atoms["{user-agent}i"],
                "took_us": atoms["D"],
            }
        )


logconfig_dict = {
    "version": 1,
    "formatters": {
        "json": {"()": "__config__.JsonFormatter"},
        "json_request": {"()": "__config__.JsonRequestFormatter"},
    },
    "handlers": {
        "json": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stderr",
        },
        "json_request": {
            "class": "logging.StreamHandler",
            "formatter": "json_request",
            "stream": "ext://sys.stdout",
        },
    },
    "root": {"level": "INFO", "handlers": []},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["json"], "propagate": False},
        "gunicorn.access": {"level": "INFO", "handlers": ["json_request"], "propagate": False},
    },
}
