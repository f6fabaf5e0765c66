//go:build !linux

package main

import (
	"errors"
	"os"
)

func peak(*os.ProcessState) int64 { return 0 }

func smallDisk(string, int64) (func() error, error) { return nil, errors.ErrUnsupported }

func imageDisk(string, string, int64) (func() error, error) { return nil, errors.ErrUnsupported }

func mountImage(string, string) (func() error, error) { return nil, errors.ErrUnsupported }

func stop(*os.Process) {}
