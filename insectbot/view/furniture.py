"""Heading, status line, key legend and overlays of the window."""

from __future__ import annotations

from insectbot.view.canvas import BODY, SMALL, TITLE, Box, Canvas
from insectbot.view.frame import Frame, speed_text
from insectbot.view.history import History
from insectbot.view.palette import BLUE, GREEN, HAIRLINE, INK, MUTED, PANEL, PAPER, VERMILION, mix
from insectbot.view.panels import last, number

KEYS: tuple[tuple[str, str, str], ...] = (
    ("space", "pause", "pause and go on"),
    ("\N{RIGHTWARDS ARROW}", "step", "one control step, then pause (also .)"),
    ("+  \N{MINUS SIGN}", "speed", "faster, slower: 1/4 to 16 times real time, then as fast as it can"),
    ("r", "next episode", "end this episode and begin the next"),
    ("l", "learning", "switch learning on or off"),
    ("s", "screenshot", "save this picture as a PNG file"),
    ("h", "help", "show or hide this page"),
    ("q", "quit", "quit (also Esc)"),
)

_READING = (
    "The insect feels the ground with two antennae and senses the target with two lobes.",
    "Weights: orange excites, blue inhibits; the thin line is the value at the start.",
    "Late: control steps that ended after their deadline in real time; they are counted, never hidden.",
)


def draw_header(canvas: Canvas, box: Box, frame: Frame) -> None:
    """Draw title, subtitle and, at the right, the mode."""
    middle = box.y + box.h // 2
    mode = frame.mode.upper()
    ink = GREEN if frame.mode == "learning" else MUTED
    used = canvas.pill(box.right, middle, mode, PANEL, ink) if mode else 0
    room = box.w - used - 24
    wide = canvas.text(box.x, middle, frame.title, TITLE, bold=True, width=room)
    if room - wide > 60:
        canvas.text(box.x + wide + 16, middle + 2, frame.subtitle, BODY, MUTED, width=room - wide - 20)


def draw_status(canvas: Canvas, box: Box, frame: Frame, history: History) -> None:
    """Draw the numbers of the episode under the world."""
    of = f" / {frame.n_episodes}" if frame.n_episodes else ""
    late = (str(frame.late), VERMILION if frame.late else INK)
    total = history.reward_sum
    items = [
        ("episode", f"{frame.episode}{of}", INK),
        ("time", f"{frame.time:.2f} s", INK),
        ("step", str(frame.step), INK),
        ("reward", number(last(frame.reward)), INK) if total is None else ("reward sum", number(total, ".1f"), INK),
        ("late", *late),
        ("speed", speed_text(frame.speed), INK),
    ]
    items[4:4] = [(name, _number(value), INK) for name, value in list(frame.metrics.items())[:3]]
    pitch = box.w / len(items)
    for k, (name, value, colour) in enumerate(items):
        x = box.x + pitch * k
        canvas.text(x, box.y + 8, name, SMALL, MUTED, width=int(pitch) - 4)
        canvas.text(x, box.y + 24, value, BODY, colour, bold=True, width=int(pitch) - 4)


def _number(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def draw_keys(canvas: Canvas, box: Box, note: str) -> None:
    """Draw the legend of the keys; a note (what was saved) takes the right end."""
    y = box.y + box.h // 2
    x = box.x
    for key, short, _ in KEYS:
        w = canvas.text_width(key, SMALL, True) + 12
        canvas.fill(Box(x, y - 9, w, 18), PANEL, 4)
        canvas.frame(Box(x, y - 9, w, 18), mix(HAIRLINE, INK, 0.2), 4)
        canvas.text(x + w / 2, y, key, SMALL, INK, bold=True, align="center")
        x += w + 6
        x += canvas.text(x, y, short, SMALL, MUTED) + 18
    if note and box.right - x > 80:
        canvas.text(box.right, y, note, SMALL, BLUE, align="right", width=box.right - x)


def draw_paused(canvas: Canvas, world: Box) -> None:
    """Draw the word "paused" over the world."""
    canvas.pill(world.x + world.w // 2, world.y + 24, "PAUSED", PANEL, INK, "center")


def draw_help(canvas: Canvas) -> None:
    """Dim the screen and explain the keys."""
    width, height = canvas.size
    veil = canvas.pygame.Surface((width, height))
    veil.fill(PAPER)
    veil.set_alpha(190)
    canvas.surface.blit(veil, (0, 0))
    w, h = 620, 96 + 28 * len(KEYS) + 26 * len(_READING)
    card = Box((width - w) // 2, (height - h) // 2, w, h)
    canvas.fill(card, PANEL, 10)
    canvas.frame(card, mix(HAIRLINE, INK, 0.3), 10)
    canvas.text(card.x + 32, card.y + 34, "Keys", TITLE, bold=True)
    y = card.y + 70
    for key, _, long in KEYS:
        canvas.text(card.x + 32, y, key, BODY, INK, bold=True)
        canvas.text(card.x + 116, y, long, BODY, INK)
        y += 28
    canvas.line(card.x + 32, y - 4, card.right - 32, y - 4)
    y += 16
    for line in _READING:
        canvas.text(card.x + 32, y, line, SMALL, MUTED, width=w - 64)
        y += 26
