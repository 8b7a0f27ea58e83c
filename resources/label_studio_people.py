"""How many people a task of Label Studio is for, and what they see of the machine's suggestions.

The Community edition knows a number of people for each task (`overlap`); its own settings of a project give that number to
tasks that it chooses itself, or to all, so they stay at 1 person, and each task is told on its own. In the stream of tasks a
person sees their own answers only. Who opens the data manager sees everybody's: that cannot be switched off there.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resources.label_studio import LabelStudio


def tell_people(label_studio: "LabelStudio", task_id: int, people: int) -> bool:
    """Let so many people answer a task before it counts as done; whether that is new.

    A task that was done is open again when more people are wanted than answered it, for whoever did not.
    """
    with label_studio.asking(f"task {task_id}") as client:
        # Which of three shapes this is hangs on an edition and a role that a type checker cannot know.
        known: Any = client.tasks.get(id=str(task_id))
        done = len({_author(raw) for raw in known.annotations or []} - {None}) >= people
        # Label Studio works out by itself that a task is done when somebody answers it, and not when more are wanted.
        if (known.overlap, bool(known.is_labeled)) == (people, done):
            return False
        client.tasks.update(id=str(task_id), overlap=people, is_labeled=done)
        return True


def show_suggestions(label_studio: "LabelStudio", project_id: int, shown: bool) -> bool:
    """Show predictions to people who answer, or not; whether that is new. Those that are there stay there."""
    with label_studio.asking(f"project {project_id}") as client:
        if client.projects.get(project_id).show_collab_predictions is shown:
            return False
        client.projects.update(id=project_id, show_collab_predictions=shown)
        return True


def _author(raw: object) -> object:
    """Number of the person who gave an answer; none of a skipped one, which does not count."""
    answer = raw if isinstance(raw, dict) else vars(raw)
    who = answer.get("completed_by")
    if answer.get("was_cancelled"):
        return None
    return who.get("id") if isinstance(who, dict) else who
