"""The parts of a message as more than one protocol writes them."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from aix.messages import File, Image, Message, Part, Text, ToolCall, ToolResult


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64_text(data)}"


def chat_part(part: Part) -> dict[str, Any]:
    """A part as Chat Completions has it, and those who follow it."""
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(data, media_type):
            return {"type": "image_url", "image_url": {"url": data_url(data, media_type)}}
        case File(data, media_type, name):
            return {"type": "file", "file": {"filename": name, "file_data": data_url(data, media_type)}}
    raise TypeError(part)


def chat_call(call: ToolCall) -> dict[str, Any]:
    """A call of a tool in the same form."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def chat_result(result: ToolResult) -> dict[str, Any]:
    """What a tool answered, which is a message there."""
    return {"role": "tool", "tool_call_id": result.id, "content": result.content}


def tool_names(messages: Iterable[Message]) -> Mapping[str, str]:
    """The names of the tools that were called, by the id of the call: all that a result knows."""
    return {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}


def is_text(part: Part) -> TypeGuard[File]:
    """Whether a part is a file that a model can read as text."""
    return isinstance(part, File) and part.media_type.startswith("text/")


def named_text(file: File) -> str:
    """A text file as a model reads it: its name, then what stands in it."""
    return f"{file.name}:\n\n{file.data.decode('utf-8', 'replace')}"


def text_of(part: Part) -> str:
    """What a model reads of a part: nothing of a picture, of another file and of what was only thought."""
    match part:
        case Text(text):
            return text
        case ToolCall(_, name, arguments):
            return f"{name} {arguments}"
        case ToolResult(_, content):
            return content
    return named_text(part) if is_text(part) else ""
