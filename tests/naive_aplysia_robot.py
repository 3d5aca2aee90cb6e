"""AplysiaRobot in plain Python, from the page of the world: slow, obvious, no kernel, no random number."""

import math

ANGLES = (160, 80, 45, 10, -10, -45, -80, -160)


def infrared(x, y, heading, posts):
    """Return the eight readings, left first."""
    found = []
    for angle in ANGLES:
        direction = heading + math.radians(angle)
        c, s = math.cos(direction), math.sin(direction)
        px, py = x + 27.5 * c, y + 27.5 * s
        distances = [1e9]
        for place, slope in ((px, c), (py, s)):
            if abs(slope) > 1e-12:
                distances.append(((1000 if slope > 0 else 0) - place) / slope)
        for cx, cy, radius in posts:
            along = (cx - px) * c + (cy - py) * s
            aside = (cx - px) * s - (cy - py) * c
            if along > 0 and abs(aside) < radius:
                distances.append(along - math.sqrt(radius**2 - aside**2))
        d = max(min(distances), 0.0)
        found.append(math.exp(-((d / 18) ** 1.5)) if d < 60 else 0.0)
    return found


def moved(x, y, heading, left, right, posts):
    """Return the pose after a step, and whether the move was blocked (then the heading is before the kick)."""
    left, right = (min(max(v, -1), 1) for v in (left, right))
    heading += 80 * (right - left) / 53 * 0.05
    step = 80 * (left + right) / 2 * 0.05
    nx, ny = x + step * math.cos(heading), y + step * math.sin(heading)
    free = 27.5 <= nx <= 972.5 and 27.5 <= ny <= 972.5
    free = free and all(math.hypot(cx - nx, cy - ny) >= 27.5 + radius for cx, cy, radius in posts)
    return (nx, ny, heading, False) if free else (x, y, heading, True)
