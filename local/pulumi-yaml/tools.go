//go:build tools

// Package tools imports the program that `make engine` builds beside Pulumi's command line: the
// language host of YAML programs, which the component's tests run. It is a module of its own because
// it needs an older pkg/v3 than the command line of local/pulumi-cli.
package tools

import _ "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
