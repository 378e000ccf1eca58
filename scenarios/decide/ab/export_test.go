package ab

// BlockLength is for tests.
var BlockLength = blockLength

// Blocks is for tests.
type Blocks = switchBlocks

// DrawBlocks is for tests.
var DrawBlocks = drawBlocks

// Unfit is for tests.
var Unfit = unfit
