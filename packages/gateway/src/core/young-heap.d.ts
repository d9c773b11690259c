export declare const YOUNG_HEAP_MIB: number;
