// Command helm is Helm, built in the module of the node: both are made of the same packages of Kubernetes, which are
// compiled once.
package main

import (
	"errors"
	"fmt"
	"os"

	helm "helm.sh/helm/v4/pkg/cmd"
	"helm.sh/helm/v4/pkg/kube"
)

func main() { os.Exit(run()) }

// Helm prints the errors of its commands itself.
func run() int {
	// The field manager's name, whatever this program is called.
	kube.ManagedFieldsManager = "helm"
	command, err := helm.NewRootCmd(os.Stdout, os.Args[1:], helm.SetupLogging)
	if err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		return 1
	}
	err = command.Execute()
	var failed helm.CommandError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &failed):
		return failed.ExitCode
	default:
		return 1
	}
}
