package bundles

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
)

// lookUp makes the name of a program an absolute path, as execvp(3) would find
// it along searchPath; with a slash in it, it is relative to the working
// directory. A path with ".." isn't cleaned: behind a link it leads elsewhere.
func lookUp(host, name, searchPath string) (string, error) {
	if name == "" {
		return "", errors.New("the program has no name")
	}
	if strings.Contains(name, "/") {
		return inWorkingDirectory(name)
	}
	for _, dir := range strings.Split(searchPath, ":") {
		file, err := inWorkingDirectory(path.Join(dir, name)) // an empty entry is the working directory
		if err != nil {
			return "", err
		}
		info, err := os.Stat(host + file)
		if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("%q: executable file not found in PATH %q", name, searchPath)
}

func inWorkingDirectory(file string) (string, error) {
	if !strings.HasPrefix(file, "/") {
		wd, err := os.Getwd()
		if err != nil {
			return "", err
		}
		file = wd + "/" + file
	}
	if strings.Contains(file, "..") {
		return file, nil
	}
	return path.Clean(file), nil
}
