// go-git as a client: `clone <url> <dir>`, `fetch <url> <dir>`, `push <url> <dir> <ref>`.
package main

import (
	"fmt"
	"os"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil && err != git.NoErrAlreadyUpToDate {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(verb, url, directory string, refs []string) error {
	if verb == "clone" {
		_, err := git.PlainClone(directory, true, &git.CloneOptions{URL: url})
		return err
	}
	repository, err := git.PlainOpen(directory)
	if err != nil {
		return err
	}
	if verb == "fetch" {
		return repository.Fetch(&git.FetchOptions{RefSpecs: []config.RefSpec{"+refs/heads/*:refs/heads/*"}})
	}
	return repository.Push(&git.PushOptions{RefSpecs: []config.RefSpec{config.RefSpec(refs[0] + ":" + refs[0])}})
}
