"""What the service takes. Times need a zone and numbers must be finite: what drift-watch would not read is refused (status 422)."""
from typing import Any
from pydantic import AwareDatetime, BaseModel, FiniteFloat, NonNegativeInt, PositiveInt, model_validator


class About(BaseModel):
    """What a forecast is about."""
    series: str
    target_time: AwareDatetime
    horizon: PositiveInt | None = None  # steps ahead


class Question(BaseModel):
    """Rows to forecast; where it says what they are about, one entry for each, the forecasts are logged."""
    instances: list[dict[str, Any]]
    about: list[About] = []

    @model_validator(mode="after")
    def one_for_each(self):
        if self.about and len(self.about) != len(self.instances):
            raise ValueError(f"{len(self.about)} entries in about (expected {len(self.instances)}, one for each instance)")
        return self


class Actual(BaseModel):
    """What has become known; now, unless it says when."""
    series: str
    target_time: AwareDatetime
    y: FiniteFloat
    observed_at: AwareDatetime | None = None
    revision: NonNegativeInt | None = None
