# Two stages: the first has pip and the build backend, the second only the environment they made.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv --without-pip /opt/palaver
COPY requirements/ requirements/
RUN pip --python /opt/palaver/bin/python install \
    --only-binary :all: --require-hashes -r requirements/run.txt
# The build backend stays in this stage.
RUN pip install --only-binary :all: --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY api/ api/
COPY models/ models/
COPY migrations/ migrations/
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && pip --python /opt/palaver/bin/python install --no-deps --no-index /wheels/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="Palaver" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 palaver \
    && useradd --uid 10001 --gid palaver --no-log-init --create-home \
       --home-dir /var/lib/palaver --shell /usr/sbin/nologin palaver
COPY --from=build /opt/palaver /opt/palaver
ENV PATH=/opt/palaver/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PALAVER_HOST=0.0.0.0 \
    PALAVER_PORT=8000 \
    PALAVER_DATA_DIR=/var/lib/palaver
WORKDIR /var/lib/palaver
# By number, so that a cluster that requires a user other than root can check it.
USER 10001:10001
EXPOSE 8000
# Without any proxy of the environment: the request is to this container.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['PALAVER_PORT'] + '/livez', timeout=3)"]
ENTRYPOINT ["palaver"]
CMD ["serve"]
