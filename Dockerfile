# syntax=docker/dockerfile:1
# The bot in a small image: everything from a lock file with hashes, nothing built, not root.
#
#   docker build -t compare-traces .
#   docker build -t compare-traces --build-arg LOCK=requirements-otel.lock .   with traces of the bot itself
#   docker run --env-file bot.env -v state:/state -p 3000:3000 compare-traces
#   docker run --env-file bot.env compare-traces worker                        with REDIS_URL
#
# For a build that is the same for ever, give BASE with a digest: python:3.11-slim@sha256:...
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ARG LOCK=requirements.lock
COPY requirements.lock requirements-otel.lock /locks/
RUN python -m venv /app \
 && /app/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
      -r "/locks/${LOCK}" \
 && /app/bin/pip uninstall --yes --quiet pip setuptools
COPY analysis /app/src/analysis
COPY bot /app/src/bot
RUN /app/bin/python -m compileall -q /app/src

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /state --create-home bot
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONPATH=/app/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 STATE_FILE=/state/compare-traces.sqlite3 INSTALLATIONS_FILE=/state/installations.sqlite3 \
    MPLCONFIGDIR=/state/.matplotlib
USER 10001
WORKDIR /state
VOLUME /state
EXPOSE 3000 9464
HEALTHCHECK --start-period=30s --interval=30s --timeout=5s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
