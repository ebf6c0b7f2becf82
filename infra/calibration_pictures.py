"""Draws the pictures of docs/calibration.md: its own commands, whose pages Chromium opens.

Run by ``make screenshots``. The commands run in a folder that is deleted afterwards.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

ROOT = Path(__file__).parent.parent
GIVEN = ROOT / "docs/calibration"
SIZE: ViewportSize = {"width": 1000, "height": 700}

COMMANDS = (
    "import run leads.csv events.csv sales.csv --mapping mapping.yaml",
    "model calibrate model.yaml --within 90d --page page.html --out new.yaml",
    "model threshold new.yaml --within 90d --capacity 3/week --page bar.html",
    "model review --month 2025-04 --page review.html",
)
"""Those of the document that write pages, and what these need."""


def run(folder: Path) -> None:
    """Runs the commands in a folder with the files of the document."""
    shutil.copytree(GIVEN, folder, dirs_exist_ok=True)
    for command in COMMANDS:
        subprocess.run(
            [sys.executable, "-m", "warmlead.cli.main", *command.split()],
            cwd=folder,
            env={**os.environ, "WARMLEAD_DATA": "data", "WARMLEAD_MODEL": "model.yaml"},
            stdout=subprocess.DEVNULL,
            check=True,
        )


def main() -> None:
    """Writes the pictures."""
    with tempfile.TemporaryDirectory(prefix="warmlead-") as place, sync_playwright() as playwright:
        folder = Path(place)
        run(folder)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless=new"]
        )
        page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="UTC")
        for name in ("page", "bar", "review"):
            page.goto((folder / f"{name}.html").as_uri())
            picture = ROOT / f"docs/calibration-{name}.png"
            page.screenshot(path=picture)
            print(picture.relative_to(ROOT))
        browser.close()


if __name__ == "__main__":
    main()
