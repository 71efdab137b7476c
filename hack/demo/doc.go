// Command demo lays out the demo cloud, boots guests with the ordinary
// openstack command, shows what came of it, and leaves it running.
//
// Invariant: a step that did not show what it promised fails the demo by name;
// nothing is claimed that was not seen.
//
//	demo up      lay it out        demo down    remove all of it
package main
