"""The Label Studio projects of a country: each made once, whoever asks for it first.

What its screen shows is `labelling_config.py`; how Label Studio is asked is `resources/label_studio.py`.
"""

from climate_assets.countries import Country
from climate_assets.labelling.blind import blind_screen
from climate_assets.labelling.labelling_config import guideline, labelling_config
from resources.label_studio import LabelStudio
from resources.label_studio_records import Project
from resources.postgres import Barometre


def project_of(country: Country, barometre: Barometre, label_studio: LabelStudio) -> Project:
    """The country's project for chunks with the screen of this version, made if it is missing."""
    title = f"Climate claims on air, {country.code}"
    screen = blind_screen(labelling_config()) if country.blind else labelling_config()
    return made_once(country.project, screen, title, guideline(), barometre, label_studio)


def made_once(
    title: str, screen: str, description: str, instructions: str, barometre: Barometre, label_studio: LabelStudio
) -> Project:
    """The project of that title with this screen, made if it is missing.

    The start, the sensor on countries and a delivery may ask in the same second, and a second project of one title stops the
    country: one of them asks at a time.
    """
    with barometre.lock(f"project {title}"):
        return label_studio.ensure_project(title, screen, description, instructions)
