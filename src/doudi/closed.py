"""Files that people write, read into frozen models that know every key; and what is told where one does not fit."""

from pydantic import BaseModel, ConfigDict, ValidationError


class Closed(BaseModel):
    """A frozen model that refuses unknown keys, so that a misspelt one is an error and not a silent no."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def faults_of(error: ValidationError) -> str:
    """Where in the file each fault is and what it is, without the value that was found there."""
    faults = error.errors(include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
