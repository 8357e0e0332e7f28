# docker build -t carillon .          builds the binary, too
# make image                          takes the binary that is built outside, as for a release
#
# The image has the binary and the certificates of public authorities, and nothing else: no shell.

# What both ways have in common: all but the files.
FROM scratch AS base
USER 65532:65532
# It refuses to start on these addresses until auth.keys or auth.jwks_url says who may sign in.
ENV CARILLON_DATA=/data \
    CARILLON_HTTP_LISTEN=0.0.0.0:8080 \
    CARILLON_MEDIA_LISTEN=0.0.0.0:7900 \
    CARILLON_TURN_UDP=0.0.0.0:3478 \
    CARILLON_TURN_TCP=0.0.0.0:3478
EXPOSE 8080 7900/udp 7900/tcp 3478/udp 3478/tcp
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/carillon", "health"]
ENTRYPOINT ["/carillon"]

# make image has put the files into out: all but data belongs to root.
FROM base AS prebuilt
COPY out/root /
COPY --chown=65532:65532 out/own /
VOLUME /data

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make image-files OUT=/out

FROM base
COPY --from=build /out/root /
COPY --from=build --chown=65532:65532 /out/own /
VOLUME /data
