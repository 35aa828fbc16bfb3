//go:build tools

// Package tools names the program that `make engine` builds: Pulumi's command line, in the version
// of go.mod, which may be newer than that of the Python package in requirements.txt, and not older. It
// is built because it is no Python package, and needs nothing but Go's module proxy. The `replace` in
// go.mod is pkg/v3's own, which Go heeds in the main module only.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
