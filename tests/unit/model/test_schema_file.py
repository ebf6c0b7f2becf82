import json
from pathlib import Path

from warmlead.model.loading import json_schema

SCHEMA = Path(__file__).parents[3] / "docs" / "model.schema.json"


def test_the_published_schema_is_that_of_this_release() -> None:
    published = json.loads(SCHEMA.read_text())

    assert published == json_schema(), "run: warmlead model schema > docs/model.schema.json"
