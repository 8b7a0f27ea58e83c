# syntax=docker/dockerfile:1
# Two images from one build: `code` serves the code location and runs, `dagster` is webserver and daemon.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements/platform.lock requirements/platform.lock
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/platform.lock
# `--build-arg SPEAKERS=yes` adds what tells speakers apart: torch and pyannote, 6 GB.
ARG SPEAKERS=""
COPY requirements/speakers.lock requirements/speakers.lock
RUN if [ -n "$SPEAKERS" ]; then /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements/speakers.lock; fi
COPY pyproject.toml README.md ./
COPY climate_assets climate_assets
COPY resources resources
COPY sensors sensors
COPY embedded embedded
COPY demo demo
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm AS runtime
RUN useradd --system --uid 10001 --create-home --home-dir /home/climate climate \
 && mkdir -p /dagster && chown climate /dagster
COPY --from=build /venv /venv
COPY --chown=climate dagster.yaml workspace.yaml /dagster/
ENV PATH=/venv/bin:$PATH DAGSTER_HOME=/dagster PYTHONUNBUFFERED=1
USER climate
WORKDIR /dagster

FROM runtime AS code
EXPOSE 4000
HEALTHCHECK --interval=30s --timeout=10s CMD ["dagster", "api", "grpc-health-check", "-p", "4000"]
CMD ["dagster", "code-server", "start", "-m", "climate_assets.definitions", "-h", "0.0.0.0", "-p", "4000"]

FROM runtime AS dagster
EXPOSE 3000
CMD ["dagster-webserver", "-h", "0.0.0.0", "-p", "3000", "-w", "/dagster/workspace.yaml"]
