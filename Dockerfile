# docker build -t carillon .
# The image has the binary and the certificates of public authorities, and nothing else: no shell.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/carillon . && install -d -m 0700 /out/data && cp /etc/ssl/certs/ca-certificates.crt /out/

FROM scratch
COPY --from=build /out/carillon /carillon
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
# It refuses to start on these addresses until auth.keys or auth.jwks_url says who may sign in.
ENV CARILLON_DATA=/data \
    CARILLON_HTTP_LISTEN=0.0.0.0:8080 \
    CARILLON_MEDIA_LISTEN=0.0.0.0:7900 \
    CARILLON_TURN_UDP=0.0.0.0:3478 \
    CARILLON_TURN_TCP=0.0.0.0:3478
EXPOSE 8080 7900/udp 7900/tcp 3478/udp 3478/tcp
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["/carillon", "health"]
ENTRYPOINT ["/carillon"]
