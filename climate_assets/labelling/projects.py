"""The Label Studio project of a country: made once, whoever asks for it first.

What its screen shows is `labelling_config.py`; how Label Studio is asked is `resources/label_studio.py`.
"""

from climate_assets.countries import Country
from climate_assets.labelling.labelling_config import guideline, labelling_config
from resources.label_studio import LabelStudio
from resources.label_studio_records import Project
from resources.postgres import Barometre


def project_of(country: Country, barometre: Barometre, label_studio: LabelStudio) -> Project:
    """The country's project with the screen of this version, made if it is missing.

    The start, the sensor on countries and a delivery may ask in the same second, and a second project of one title stops the
    country: one of them asks at a time.
    """
    with barometre.lock(f"project {country.project}"):
        title = f"Climate claims on air, {country.code}"
        return label_studio.ensure_project(country.project, labelling_config(), title, guideline())
