.PHONY: run test check fuzz soak web bench

run: ; go run .
test: ; node scripts/test.mjs
check: ; node scripts/test.mjs --quick
fuzz: ; node scripts/fuzz.mjs
soak: ; go test -v -count 1 -timeout 60m -run TestRandomKills . -kills 40
web: ; cd web && npm ci && npm run build
bench: ; go run . bench
