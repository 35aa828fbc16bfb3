//go:build tools

// Package tools imports the program that `make engine` builds: Pulumi's command line, in the version
// of go.mod, which must not be older than the Python package in requirements.txt. It is built from
// source because it is not on PyPI, and needs only Go's module proxy. The `replace` in go.mod is
// copied from pkg/v3: Go uses it only in the main module.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
