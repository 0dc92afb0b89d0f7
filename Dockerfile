# Builds the binary and puts it alone into a small image. It runs as an unprivileged user and keeps its state in /state.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN cargo build --locked --profile dist

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --home-dir / doorward \
	&& install -d -o 10001 -g 10001 -m 0700 /state && install -d -o 10001 -g 10001 /dynamic
COPY --from=build /source/target/dist/doorward /usr/local/bin/doorward
USER 10001
WORKDIR /
VOLUME ["/state"]
EXPOSE 9000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["curl", "-fsS", "http://127.0.0.1:9000/healthz"]
ENTRYPOINT ["doorward"]
CMD ["serve", "--blueprints", "/blueprints", "--state", "sqlite:///state/doorward.db", "--listen", "0.0.0.0:9000", "--write-to", "/dynamic"]
