.PHONY: run test check fuzz web bench

run: ; go run .
test: ; node scripts/test.mjs
check: ; node scripts/test.mjs --quick
fuzz: ; node scripts/fuzz.mjs
web: ; cd web && npm ci && npm run build
bench: ; go run . bench
