// Command probe tells from inside a pod whether services can be reached: each argument is an address HOST:PORT whose
// name must resolve and whose port must answer. With "serve :PORT" it is such a service itself.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const (
	attempts = 40
	pause    = 250 * time.Millisecond
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[2], http.HandlerFunc(greet)))
		os.Exit(1)
	}
	for _, address := range os.Args[1:] {
		if err := reach(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("reached", address)
	}
}

func greet(response http.ResponseWriter, _ *http.Request) { fmt.Fprintln(response, "hello") }

// A new service's address takes a moment to be known; the last error counts.
func reach(address string) (err error) {
	for range attempts {
		var connection net.Conn
		if connection, err = net.DialTimeout("tcp", address, time.Second); err == nil {
			return connection.Close()
		}
		time.Sleep(pause)
	}
	return err
}
