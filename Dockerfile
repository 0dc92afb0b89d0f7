# Builds the binary and puts it alone into a small image. It runs as an unprivileged user and keeps its state in /state.
FROM rust:1.95.0-slim-bookworm AS build
# The compiler of this image: rust-toolchain.toml would have clippy and rustfmt fetched as well.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN apt-get update && apt-get install -y --no-install-recommends build-essential cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# `--build-arg PROFILE=release` builds in less time and memory, for a larger binary.
ARG PROFILE=dist
RUN cargo build --locked --profile "$PROFILE" && cp "target/$PROFILE/doorward" /doorward

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
	&& useradd --system --uid 10001 --user-group --home-dir / doorward \
	&& install -d -o 10001 -g doorward -m 0700 /state && install -d -o 10001 -g doorward /dynamic
COPY --from=build /doorward /usr/local/bin/doorward
USER doorward
WORKDIR /
VOLUME ["/state"]
EXPOSE 9000
# Ready, not only alive: Traefik may wait for it. A rejected blueprint does not make it unready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["curl", "-fsS", "http://127.0.0.1:9000/healthz"]
ENTRYPOINT ["doorward"]
CMD ["serve", "--blueprints", "/blueprints", "--state", "sqlite:///state/doorward.db", "--listen", "0.0.0.0:9000", "--write-to", "/dynamic"]
