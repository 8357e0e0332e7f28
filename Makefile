.PHONY: run test check web bench

run: ; go run .
test: ; node scripts/test.mjs
check: ; node scripts/test.mjs --quick
web: ; cd web && npm ci && npm run build
bench: ; go run . bench
