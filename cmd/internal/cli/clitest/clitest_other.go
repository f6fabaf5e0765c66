//go:build !linux

package clitest

import "errors"

func limitAddressSpace(string) error { return errors.New("only Linux has it") }
