export declare const NODE_FLOOR: string;
export declare const NODE_FLOOR_SHORT: string;
export declare function isNewEnough(version?: string): boolean;
export declare function isMusl(): boolean;
export declare function nodeAdvice(version?: string, platform?: string, musl?: boolean): string;
