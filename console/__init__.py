"""The web console."""

from console.app import create_app
from console.serving import ConsoleError, serve
from console.status import PipelineStatus

__all__ = ["ConsoleError", "PipelineStatus", "create_app", "serve"]
