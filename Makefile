# The commands behind CONTRIBUTING.md. Plain `go test ./...` needs nothing but Go.
.PHONY: check test peers golden replay e2e bench

test:
	go test ./...

check:
	test -z "$$(gofmt -l .)"
	go vet ./... && (cd cmd/dev && go vet ./...) && cd deploy && go vet ./... && go test ./...
	go tool -modfile=.ci/tools.mod staticcheck ./...
	go tool -modfile=.ci/tools.mod workflowcheck ./workflows/...

peers:
	.ci/peers

golden: peers
	.venv/bin/python testdata/golden/make.py

replay:
	go test -run TestReplay ./workflows/

e2e: peers
	go test -tags e2e ./... && (cd deploy && go test -tags e2e ./...) && cd cmd/dev && go test -tags e2e -timeout 30m ./...

bench:
	go run ./bench
