"""The student's door: what other modules import of it.

Judging lives in `student_model.py` and `student_heads.py`, training in `student_training.py`.
"""

from climate_assets.claims.student_model import Student, student_from_bytes
from climate_assets.claims.student_training import train, version_of

__all__ = ["Student", "student_from_bytes", "train", "version_of"]
