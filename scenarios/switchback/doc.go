// Package switchback switches one load between two sides that are both up: in blocks of some seconds,
// in random order.
//
//	plans of both sides --Unfit--> why they can't be switched; empty: they can
//	length of the load  --Draw---> blocks: A B | B A | B A | A B ...
//	                               '-> Restrict: the load of a side runs in its blocks alone, which are judged
//	                                   without the first second after the switch
//
// Blocks come in pairs of one block of each side, and the order of each pair is random. Noise that lasts
// longer than a block affects both of a pair alike, and the sign of shorter noise depends on the random
// order: differences of equal sides are symmetric around zero, however the noise depends on itself
// (Bojinov, Simchi-Levi and Zhao, Design and Analysis of Switchback Experiments, Management Science
// 2023). Two runs of a minute one after the other share far less.
//
// What a block leaves behind for the next one, such as requests in flight, cold connections and caches,
// falls into the first second after a switch. No figure includes that second.
package switchback
