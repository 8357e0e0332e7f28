.PHONY: run test check fuzz soak web bench image image-files

run: ; go run .
test: ; node scripts/test.mjs
check: ; node scripts/test.mjs --quick
fuzz: ; node scripts/fuzz.mjs
soak: ; go test -v -count 1 -timeout 60m -run TestRandomKills . -kills 40
web: ; cd web && npm ci && npm run build
bench: ; go run . bench

# The image of a binary that is built here. DOCKER=podman works as well.
DOCKER ?= docker
OUT ?= out
image: image-files
	$(DOCKER) build -t carillon --target prebuilt .
image-files:
	CGO_ENABLED=0 go build -trimpath -o $(OUT)/root/carillon .
	install -D -m 0644 /etc/ssl/certs/ca-certificates.crt $(OUT)/root/etc/ssl/certs/ca-certificates.crt
	install -d -m 0700 $(OUT)/own/data
