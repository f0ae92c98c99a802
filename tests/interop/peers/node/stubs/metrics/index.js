'use strict';

// Stands in for a package that is no longer published; tchannel names it but never loads it.
module.exports = {};
