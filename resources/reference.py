"""Reference files: countries, dictionaries, grids, statements, names, phrases - shipped ones or the operator's own.

This is where such files are read; what they mean is known by the pure modules that parse them.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from dagster import ConfigurableResource

from climate_assets.broadcast.dictionaries import Dictionary, dictionary_from_csv
from climate_assets.broadcast.programmes import programmes_from_csv
from climate_assets.broadcast.records import Programme
from climate_assets.claims.statements import Statement, statements_from_csv
from climate_assets.countries import Countries, Country, read_countries
from climate_assets.failures import Permanent
from climate_assets.speech.glossaries import Glossary, glossary_from_text
from climate_assets.speech.guards import Phrases, phrases_from_yaml
from climate_assets.speech.replies import Cues, cues_from_yaml
from climate_assets.speech.report_pdf import Fonts

PACKAGE: Final = Path(__file__).parent.parent / "climate_assets"


class ReferenceFiles(ConfigurableResource):  # type: ignore[type-arg]
    """Folders and files that people edit and the platform reads."""

    countries_file: str = str(PACKAGE / "countries.yaml")
    dictionaries_folder: str = str(PACKAGE / "reference" / "dictionaries")
    grids_folder: str = str(PACKAGE / "reference" / "grids")
    statements_folder: str = str(PACKAGE / "reference" / "statements")
    glossaries_folder: str = str(PACKAGE / "reference" / "glossaries")
    invented_phrases_file: str = str(PACKAGE / "reference" / "invented_phrases.yaml")
    contradiction_cues_file: str = str(PACKAGE / "reference" / "contradiction_cues.yaml")

    def countries(self) -> Countries:
        """The monitored countries."""
        return read_countries(Path(self.countries_file))

    def dictionary(self, language: str) -> Dictionary:
        """The keyword dictionary of a language."""
        path = Path(self.dictionaries_folder) / f"{language}.csv"
        return dictionary_from_csv(_text(path, f"a dictionary for {language}"), language, str(path))

    def programmes(self, country: Country) -> list[Programme]:
        """The programme grid of a country; a country without a grid file has none."""
        path = self.grid_files().get(f"{country.code}.csv")
        return programmes_from_csv(_text(path, "a grid"), country, str(path)) if path else []

    def grid_files(self) -> dict[str, Path]:
        """The grid files by name; raises `Permanent` without a folder, which is not the same as a folder without grids."""
        folder = Path(self.grids_folder)
        if not folder.is_dir():
            raise Permanent(f"{folder} is no folder of programme grids; set CLIMATE_GRIDS to one (it may be empty)")
        return {path.name: path for path in sorted(folder.glob("*.csv"))}

    def has_statements(self, language: str) -> bool:
        """Whether labelled statements of a language are shipped."""
        return (Path(self.statements_folder) / f"{language}.csv").exists()

    def statements(self, language: str) -> list[Statement]:
        """Labelled statements of a language, to train the student on."""
        path = Path(self.statements_folder) / f"{language}.csv"
        return statements_from_csv(_text(path, f"labelled statements for {language}"), str(path))

    def glossary(self, language: str) -> Glossary:
        """Names a recogniser is told to expect in a language; a language without a file, or none, has no names."""
        path = Path(self.glossaries_folder) / f"{language}.txt"
        return glossary_from_text(_text(path, f"names for {language}") if language and path.exists() else "", str(path))

    def invented_phrases(self) -> Phrases:
        """Texts that recognisers are known to invent."""
        path = Path(self.invented_phrases_file)
        return phrases_from_yaml(_text(path, "a list of invented phrases"), str(path))

    def contradictions(self) -> dict[str, Cues]:
        """What people say to contradict, by language."""
        path = Path(self.contradiction_cues_file)
        return cues_from_yaml(_text(path, "cues of contradiction"), str(path))

    def fonts(self) -> Fonts:
        """Fonts with the letters of all languages watched: those that the plotting library brings."""
        found = find_spec("matplotlib")
        folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" if found and found.origin else Path()
        try:
            return Fonts((folder / "DejaVuSans.ttf").read_bytes(), (folder / "DejaVuSans-Bold.ttf").read_bytes())
        except OSError as error:
            raise Permanent(f"no fonts for reports ({error}); install what requirements/platform.lock lists") from error


def _text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Permanent(f"{path} cannot be read as {what} ({error}); put a UTF-8 file there") from error
