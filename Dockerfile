FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package hermod-server

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/hermod hermod \
    && install --directory --owner=hermod --group=hermod --mode=0700 /var/lib/hermod
COPY --from=build /src/target/release/hermod /usr/local/bin/hermod
COPY LICENSE NOTICE /usr/share/doc/hermod/
USER hermod
VOLUME /var/lib/hermod
EXPOSE 8080
ENTRYPOINT ["hermod"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--data-dir", "/var/lib/hermod"]
