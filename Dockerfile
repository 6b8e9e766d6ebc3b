# One image for every role: `docker run --stop-timeout 45 reparto up`, or see docker-compose.yml.

FROM python:3.13-slim AS build
# With a C compiler, judging a fix takes a third of the time.
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev
WORKDIR /source
COPY . .
# Planners have no wheels for some machines; there the image plans nothing, and says so.
RUN python -m venv /opt/reparto \
    && (/opt/reparto/bin/pip install --no-cache-dir --only-binary=pyvrp,pyvroom '.[plan,parquet]' \
        || /opt/reparto/bin/pip install --no-cache-dir .)

FROM python:3.13-slim
RUN useradd --uid 10001 --home-dir /var/lib/reparto --create-home --shell /usr/sbin/nologin reparto
COPY --from=build /opt/reparto /opt/reparto
ENV PATH=/opt/reparto/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    REPARTO_DATA_DIR=/var/lib/reparto \
    REPARTO_LISTEN=0.0.0.0:8080
# By its number, so that a cluster can tell that it is not root.
USER 10001:10001
WORKDIR /var/lib/reparto
VOLUME /var/lib/reparto
EXPOSE 8080
# No init in between: reparto ends its children itself, and SIGTERM reaches it.
ENTRYPOINT ["reparto"]
CMD ["up"]
