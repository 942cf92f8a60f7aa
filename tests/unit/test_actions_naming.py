import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from jobserver.actions import naming
from jobserver.actions.naming import Malformed, Taken
from tests import factories


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("A  B__C", "a-b__c"),
        ("My Project: Ünïcode & co", "my-project-unicode-co"),
        ("  --Lead and tail__ ", "lead-and-tail"),
        ("日本", ""),
        ("…", ""),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_slug_is_made_from_a_name(name: str, slug: str) -> None:
    assert naming.slugify(name) == slug


@given(st.text())
def test_every_slug_made_from_a_name_is_well_formed_and_stays_as_it_is(name: str) -> None:
    slug = naming.slugify(name)
    assert naming.slugify(slug) == slug
    if slug:
        assert naming.checked_slug(slug) == slug


def test_a_name_without_any_letter_for_an_address_is_refused() -> None:
    with pytest.raises(Malformed, match="needs a letter from A to Z") as refused:
        naming.slug_for("日本", None)
    assert refused.value.field == "name"


@pytest.mark.parametrize("slug", ["a b", "a/b", "ü", "a\n", "", " ", "x" * 256, "a.b"])
def test_a_malformed_slug_is_refused(slug: str) -> None:
    if slug.strip() and "\n" not in slug:
        with pytest.raises(Malformed) as refused:
            naming.slug_for("name", slug)
        assert refused.value.field == "slug"
    else:
        assert naming.slug_for("name", slug.strip() or None) in {"name", "a"}


@pytest.mark.parametrize("word", ["staff", "api", "STATUS", "job-requests", "404"])
def test_a_word_of_the_root_is_refused_and_named(db: Session, word: str) -> None:
    with pytest.raises(Taken, match=f"“{word}” is taken by a page of this site"):
        naming.claim_at_root(db, word)


def test_an_organisation_and_a_project_never_share_a_slug(db: Session) -> None:
    factories.OrgFactory(slug="datalab")
    factories.ProjectFactory(slug="uptake")
    with pytest.raises(Taken, match="“DataLab” is taken by an organisation"):
        naming.claim_at_root(db, "DataLab")
    with pytest.raises(Taken, match="“uptake” is taken by a project"):
        naming.claim_at_root(db, "uptake")
    naming.claim_at_root(db, "free")


def test_a_workspace_takes_no_name_that_its_project_or_another_workspace_has(db: Session) -> None:
    factories.WorkspaceFactory(name="Main")
    for name in ("edit", "Logs", "new-workspace", "releases"):
        with pytest.raises(Taken, match="a page of its project"):
            naming.claim_workspace(db, name)
    with pytest.raises(Taken, match="“main” is taken by another workspace"):
        naming.claim_workspace(db, "main")


@pytest.mark.parametrize("text", ["", "  \t", "\x00", "a\x07b", "x" * 256])
def test_text_without_a_visible_character_or_with_control_characters_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        naming.trimmed("name", text)


def test_text_is_trimmed_and_its_white_space_made_single() -> None:
    assert naming.trimmed("name", "  Ada \t  Lovelace\n") == "Ada Lovelace"
