"""The forms about a workspace: making one, saying what it is for (spec: pages 15.2 and 15.3)."""

from typing import Any

from wtforms import Form, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, InputRequired, ValidationError

from jobserver.actions.naming import Malformed
from jobserver.actions.workspaces import checked_name
from jobserver.forms.text import at_most, long_text, stripped
from jobserver.studies.catalogue import Listed, Offer, owner_in

LONGEST_PURPOSE = 5000


def _purpose_validators() -> list[Any]:
    return [
        DataRequired("Say in a sentence what the workspace is for."),
        at_most(LONGEST_PURPOSE),
    ]


class NewWorkspaceForm(Form):
    """A name and a purpose, and which branch of which of the listed repositories."""

    name = StringField(
        "Name",
        description="Letters, digits, - and _. Part of its address, and cannot be changed later.",
        filters=[lambda value: stripped(value).lower()],
        validators=[
            DataRequired("Give the workspace a name."),
        ],
    )
    purpose = TextAreaField(
        "Purpose",
        description="What is it for? Shown to everybody at the top of the workspace’s page.",
        filters=[long_text],
        validators=_purpose_validators(),
    )
    repo = SelectField(
        "Repository",
        validators=[InputRequired("Choose the repository that holds the study’s code.")],
        validate_choice=False,
    )
    branch = SelectField(
        "Branch",
        description="Jobs run the code of this branch.",
        validators=[InputRequired("Choose a branch.")],
        validate_choice=False,
    )

    def offer(self, offer: Offer) -> None:
        """Set what may be chosen; the branches are those of the repository chosen so far."""
        self._offer = offer
        several = len({each.owner.lower() for each in offer.repositories}) > 1
        self.repo.choices = [
            SelectChoice("", "Choose a repository"),
            *(
                SelectChoice(each.url, each.name, optgroup=each.owner if several else None)
                for each in sorted(offer.repositories, key=lambda each: each.owner.lower())
            ),
        ]
        chosen = self.chosen
        if chosen is None:
            self.branch.choices = [SelectChoice("", "Choose a repository first")]
            if self.is_unlisted:
                # GitHub may list it in a minute: what was chosen stays chosen.
                self.repo.choices.append(SelectChoice(self.repo.data, self.repo.data.split("/", 3)[3]))
                self.branch.choices = [SelectChoice(self.branch.data or "", self.branch.data or "Not known")]
            return
        self.repo.data = chosen.url
        self.branch.choices = [SelectChoice(name, name) for name in chosen.branches]
        if self.branch.data not in chosen.branches:
            # An answer that was sent and cannot be is a fault; none at all is filled in.
            if not self.branch.data:
                self.branch.data = chosen.usual_branch
            if self.branch.data not in chosen.branches:
                prompt = "Choose a branch" if chosen.branches else "It has no branches yet"
                self.branch.choices.insert(0, SelectChoice("", prompt))

    @property
    def chosen(self) -> Listed | None:
        """The chosen repository, if it is one of those listed."""
        return self._offer.find(self.repo.data or "")

    @property
    def is_unlisted(self) -> bool:
        """Whether the repository may be one of those that GitHub did not list just now."""
        failed = {org.lower() for org in self._offer.failures}
        return self.chosen is None and owner_in(self.repo.data or "") in failed

    def validate_name(self, field: Any) -> None:
        """One that can be part of an address. Whether it is taken shows when the workspace is made."""
        try:
            checked_name(field.data)
        except Malformed as fault:
            raise ValidationError(f"A name {fault.why}.") from fault

    def validate_repo(self, _field: Any) -> None:
        """One that is listed."""
        if self.is_unlisted:
            raise ValidationError("GitHub did not list this repository just now. Try again in a minute.")
        if self.chosen is None:
            raise ValidationError("This repository cannot be chosen. Choose one of those shown.")

    def validate_branch(self, field: Any) -> None:
        """One of that repository's."""
        chosen = self.chosen
        if chosen is not None and field.data not in chosen.branches:
            raise ValidationError(f"{chosen.name} has no such branch. Choose one of those shown.")


class EditWorkspaceForm(Form):
    """What a workspace is for. ``version`` stands for the purpose that the person saw."""

    purpose = TextAreaField(
        "Purpose",
        description="What is it for? Shown to everybody at the top of the workspace’s page.",
        filters=[long_text],
        validators=_purpose_validators(),
    )
    version = HiddenField()
