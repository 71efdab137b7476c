// Package config is what an operator can set: one strict TOML file, overridden
// by the environment, overridden by flags.
//
// Invariant: every setting is a field of Config and nowhere else; its key in
// the file, its flag and its environment variable follow from the field, and
// what is not a setting is an error that names the nearest one.
//
//	[public]
//	listen = "127.0.0.1:8774"    # --public.listen, KVORUM_PUBLIC_LISTEN
//
// It must not know what the settings are for.
package config
